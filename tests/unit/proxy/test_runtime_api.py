"""What HAProxy answers on its socket; the sample is an answer of HAProxy 2.6 to `show info;show stat`, shortened."""

import pytest

from deployer.proxy import runtime_api

SAMPLE = """\
Name: HAProxy
Version: 2.6.12-1+deb12u2
Release_date: 2023/12/16
Nbthread: 2
Nbproc: 1
Process_num: 1
Pid: 4242
Uptime: 0d 0h00m12s
Maxconn: 4000
CurrConns: 0
node: hostA
description: heat-scaleout 382b9341d65bcb5616bb1be90192f6e5924b9f6e7be3e8c0891cc1455aeee241
Unstoppable Jobs: 0

# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,act,bck,\
chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,rate_lim,rate_max,check_status,\
check_code,check_duration,addr,
rest_api_proxy,FRONTEND,,,0,1,8000,14,2604,4760,0,0,0,,,,,OPEN,,,,,,,,,1,2,0,,,,0,0,0,2,,,,,
rest_api_proxy,hostB-8004,0,0,1,1,,7,1302,2380,,0,,0,0,0,0,UP,1,1,0,0,0,12,0,,1,2,1,,7,,2,0,,1,L7OK,200,3,\
10.0.0.2:8004,
rest_api_proxy,hostC-8004,0,0,0,1,,7,1302,2380,,0,,0,0,0,0,DOWN 1/2,1,1,0,1,1,12,0,,1,2,2,,7,,2,0,,1,L4CON,,0,\
10.0.0.3:8004,
rest_api_proxy,BACKEND,0,0,0,1,800,14,2604,4760,0,0,,0,0,0,0,UP,1,1,0,,1,12,0,,1,2,0,,14,,1,0,,2,,,,,
statistics,FRONTEND,,,0,0,8000,0,0,0,0,0,0,,,,,OPEN,,,,,,,,,1,4,0,,,,0,0,0,0,,,,,

"""


def test_configuration_is_the_digest_in_the_description():
    assert runtime_api.configuration(SAMPLE) == "382b9341d65bcb5616bb1be90192f6e5924b9f6e7be3e8c0891cc1455aeee241"


def test_configuration_of_a_proxy_that_is_not_ours_or_not_there_is_unknown():
    assert runtime_api.configuration("Name: HAProxy\ndescription: somebody else's\n") is None
    assert runtime_api.configuration(None) is None


def test_servers_are_those_of_every_section_without_the_totals():
    assert [(each.section, each.name, each.address) for each in runtime_api.servers(SAMPLE)] == [
        ("rest_api_proxy", "hostB-8004", "10.0.0.2:8004"),
        ("rest_api_proxy", "hostC-8004", "10.0.0.3:8004"),
    ]


def test_server_carries_its_status_last_check_and_counts():
    first, second = runtime_api.servers(SAMPLE)

    assert (first.status, first.check, first.sessions, first.requests) == ("UP", "L7OK", 1, 7)
    assert (second.status, second.check) == ("DOWN 1/2", "L4CON")


def test_servers_of_an_answer_without_statistics_are_none():
    assert runtime_api.servers("Name: HAProxy\n") == runtime_api.servers(None) == runtime_api.servers("") == ()


@pytest.mark.parametrize(
    "answer",
    [
        "# pxname",
        "# pxname,svname\nx",
        "# pxname,svname,status,scur,stot\nrest_api_proxy,hostB-8004,UP,many,-1",
        "# pxname,svname,status,scur,stot\nrest_api_proxy,hostB-8004,UP,²," + "9" * 5000,
        "# pxname,svname,status,scur,stot\n" + "x," * 1000,
        "# pxname,svname,status\n" + "x" * 200_000,
        "# pxname,svname,status\n\0",
    ],
)
def test_answer_that_haproxy_would_not_give_has_no_counts(answer):
    assert not any(server.sessions or server.requests for server in runtime_api.servers(answer))


def test_names_of_an_answer_are_shown_without_what_steers_a_terminal():
    (server,) = runtime_api.servers("# pxname,svname,status\n\x1b[2K,\u202ea,U\tP")

    assert (server.section, server.name, server.status) == ("\\x1b[2K", "\\u202ea", "U\\x09P")
