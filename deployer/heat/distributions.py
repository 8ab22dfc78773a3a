"""What the packages of distributions call Heat's services. Pure.

Debian and Ubuntu: debian/*.init.in of the source package heat; RDO: openstack-heat-*.service of openstack-heat.spec.
"""

from deployer.model.service import Service

UNITS = {
    "heat-api.service": Service.API,
    "heat-api-cfn.service": Service.CFN,
    "heat-engine.service": Service.ENGINE,
    "openstack-heat-api.service": Service.API,
    "openstack-heat-api-cfn.service": Service.CFN,
    "openstack-heat-engine.service": Service.ENGINE,
}
