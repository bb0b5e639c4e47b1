"""Proxies between the service and its servers, which inject faults and see requests' steps."""
