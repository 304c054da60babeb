"""
The plugins: one file each, named C{kind_name.py}.

To write one, copy one.  A distribution of your own ships it as
C{mucs/plugins/yourname_kind_name.py}, with no C{__init__.py} beside it; it is found here without
anything being told to MUCS.
"""

from twisted.plugin import pluginPackagePaths

__path__.extend(pluginPackagePaths(__name__))
__all__: list[str] = []
