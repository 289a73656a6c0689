"""One file per verb. A command runs in its caller's transaction and never commits."""
