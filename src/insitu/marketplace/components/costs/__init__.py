"""What is paid by how an execution ends."""
