"""印信 (yinxin): issue, sign, seal and verify electronic licences.

`yinxin.base` is what every room stands on; `yinxin.app` puts the rooms together and is the
command line. The rooms themselves are `signing`, `ca`, `credentials`, `wallet`, `verify_api`.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
