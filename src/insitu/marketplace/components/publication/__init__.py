"""The page on which an asset is described, judged, signed and published."""
