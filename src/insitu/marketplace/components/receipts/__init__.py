"""Receipts, checked in the page without asking anybody."""
