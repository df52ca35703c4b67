"""The use cases of one capability each, as a frozen dataclass that `Application` has a field for."""
