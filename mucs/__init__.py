"""MUCS, a multi-user chat service on Twisted."""
