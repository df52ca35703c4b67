"""Documents that stand elsewhere: fetched through the guarded way out, or read from the operator's folder."""

from workflow_service.adapters.resources.fetching import ExternalResources, ResourceLimits

__all__ = ["ExternalResources", "ResourceLimits"]
