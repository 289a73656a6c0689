"""The numbers of the advisory locks; any would do, so each is a word in ASCII."""

JOURNAL = 0x6A6F75726E616C
"""Held by whoever writes to the journal, from before a number is drawn until the commit."""

IMPORT = 0x696D706F7274
"""Held by the one large import that is being written."""

SCHEMA = 0x736368656D61
"""Held by whoever migrates."""
