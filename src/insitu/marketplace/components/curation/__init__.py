"""What curators of the catalogue hide and feature, for everybody; its element lets one of them decide."""
