"""A DID, an address or a digest: whole in the document, short to the eye."""
