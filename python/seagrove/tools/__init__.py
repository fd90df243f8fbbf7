"""The command `seagrove`."""
