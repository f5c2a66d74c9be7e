"""What crosses HTTP: addresses, requests, answers, problems. Servers and SDK share it; ``/api/v1`` only grows."""
