"""chancery: a sourced register of diplomatic designation changes."""

__version__ = "0.1.0"
