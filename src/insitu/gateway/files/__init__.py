"""Files: sealed lists, uploads and downloads."""
