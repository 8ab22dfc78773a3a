"""Observed sites for tests of `status`: hosts as desired but for what a test changes, and what Heat knows of them."""

import sites

from deployer import errors
from deployer.desired import desired_state
from deployer.heat.engines import UNKNOWN_VIEW, EngineRow, EngineView, Queue
from deployer.model.facts import Observation
from deployer.model.names import unit_name
from deployer.model.service import Service
from deployer.model.state import HostState
from deployer.model.steps import Plan
from deployer.observed.observe import SiteObservation
from deployer.proxy import runtime_api
from deployer.status import site
from deployer.status.site_view import SiteView

STAT = """\
Name: HAProxy
Description: heat-scaleout 0123

# pxname,svname,scur,stot,status,check_status,addr
rest_api_proxy,FRONTEND,0,9,OPEN,,
rest_api_proxy,hostB-8004,3,5,UP,L7OK,10.0.0.2:8004
cfn_api_proxy,hostB-8000,0,5,DOWN,L4CON,10.0.0.2:8000
"""
FINE = STAT.replace("DOWN,L4CON", "UP,L7OK")
API, CFN, ENGINE = unit_name(Service.API, 8004), unit_name(Service.CFN, 8000), unit_name(Service.ENGINE, 1)
PROXY = unit_name(Service.PROXY)
LISTENING = {
    "hostA": (sites.a_listener(8004, unit=PROXY), sites.a_listener(8000, "0.0.0.0", unit=PROXY)),
    "hostB": (sites.a_listener(8004, "10.0.0.2", unit=API), sites.a_listener(8000, "10.0.0.2", unit=CFN)),
}


def a_site(stat=FINE, **changed):
    """An inventory, its desired states, and hosts that have them but for what is changed, by host."""
    inventory = sites.an_inventory(hostC="")
    desired = desired_state.desired_states(inventory, sites.bare(inventory)).states
    observed = {
        name: Observation(each.state, sites.facts(listeners=LISTENING[name], hostname=name))
        for name, each in sites.as_wanted(desired).items()
    }
    observed["hostA"] = Observation(
        observed["hostA"].state,
        sites.facts(listeners=LISTENING["hostA"], hostname="hostA", servers=runtime_api.servers(stat)),
    )
    return inventory, desired, observed | changed


def lines(view=UNKNOWN_VIEW, gone=(), stat=FINE, **changed):
    inventory, desired, observed = a_site(stat, **changed)
    errors_of = {name: errors.HostUnreachable(name, "no answer") for name in gone}
    observation = SiteObservation({name: each for name, each in observed.items() if name not in gone}, errors_of)
    return site.status_of(SiteView(inventory, observation, desired, view), Plan()).lines


def line(unit, host="hostB", **how):
    return next(each for each in lines(**how) if (each.host, each.unit) == (host, unit))


def with_unit(unit, **facts):
    _, desired, _ = a_site()
    units = {**desired["hostB"].units, unit.name: unit}
    return Observation(
        HostState(desired["hostB"].files, units), sites.facts(**{"listeners": LISTENING["hostB"]} | facts)
    )


def a_row(host="hostB-engine-1", hostname="hostB", up=True, engine_id="id"):
    return EngineRow(engine_id, host, hostname, up, 3.0)


def a_view(*rows, **consumers):
    """Heat's view of some rows; `consumers` says how many read the queue of an id, None for no queue."""
    return EngineView(rows, {name: None if each is None else Queue(2, each) for name, each in consumers.items()})
