"""The version, where every room can import it."""

VERSION = "0.1.0"
