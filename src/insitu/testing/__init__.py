"""Test doubles and fixtures for people who build on insitu."""
