"""Tests: real servers, real clients, nothing patched."""
