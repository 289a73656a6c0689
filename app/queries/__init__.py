"""One file per question asked of the data. A query takes a connection, not a request."""
