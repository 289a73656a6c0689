"""`python -m app` is `chancery`."""

from app.cli import main

main()
