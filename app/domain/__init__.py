"""What chancery knows, in plain Python: no web, no database."""
