"""Files that live elsewhere: the web and object stores."""
