"""The suite as several processes on real servers."""
