"""The section of the proxy for each kind of API; apart from its configuration, which takes a while to load. Pure."""

from deployer.model.service import Service

SECTIONS = {Service.API: "rest_api_proxy", Service.CFN: "cfn_api_proxy"}
