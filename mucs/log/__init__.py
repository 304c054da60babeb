"""Logs: the places where rooms are kept.  Each provides L{mucs.imucs.ILog}."""
