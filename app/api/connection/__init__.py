"""One connection of a client: uvicorn's HTTP protocol, strict and bounded."""
