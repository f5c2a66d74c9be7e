"""Adapters of the sources port: files on the web and in object stores."""
