"""The embedded model server: llama.cpp in a process of its own, shared by a user's editors."""
