"""The rules of identity: pure, without clock, chance or input and output."""
