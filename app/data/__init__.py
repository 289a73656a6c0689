"""Reference data that is shipped with the service, and the programs that make it."""
