"""Files: lists that are sealed and read, uploads, downloads."""
