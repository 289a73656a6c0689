"""One connection of a client: uvicorn's HTTP protocol, strict, bounded, prompt where it can be."""
