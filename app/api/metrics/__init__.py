"""What is counted, by which process, and how Prometheus is told."""
