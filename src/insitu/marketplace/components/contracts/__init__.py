"""The window that asks once for each chain which contracts the person means."""
