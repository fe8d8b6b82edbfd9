"""The Asterisk modules a call center needs, written with {a,b} for names that share their beginning.

Order matters little, but a module whose needs are not in the list does not load: app_mixmonitor needs
func_periodic_hook, which needs app_chanspy, func_cut, func_groupcount and func_uri; res_agi needs res_speech.
"""

from __future__ import annotations

import re
from pathlib import Path

from controller.errors import SetupError

_WANTED = """
res_sorcery_{config,memory,memory_cache,astdb} res_timing_timerfd res_crypto res_security_log res_http_websocket
res_websocket_client res_stasis res_stasis_{answer,device_state,playback,recording,snoop} res_ari res_ari_model
res_ari_{applications,asterisk,bridges,channels,device_states,endpoints,events,playbacks,recordings,sounds} app_stasis
res_pjproject res_pjsip res_pjsip_session res_pjsip_pubsub
res_pjsip_{acl,authenticator_digest,outbound_authenticator_digest,caller_id,diversion,dlg_options,dtmf_info,empty_info}
res_pjsip_{endpoint_identifier_ip,endpoint_identifier_user,header_funcs,logger,maintenance,nat,outbound_registration,path}
res_pjsip_{refer,registrar,rfc3326,sdp_rtp,transport_websocket} chan_pjsip func_pjsip_{aor,contact,endpoint}
res_rtp_asterisk res_srtp res_format_attr_opus res_musiconhold
codec_{ulaw,alaw,a_mu,gsm,g722,resample,opus_open_source} format_{pcm,wav,gsm,sln}
bridge_{simple,native_rtp,softmix,holding,builtin_features} chan_bridge_media
pbx_config app_{dial,playback,amd,echo,verbose,stack,senddtmf,read,chanspy,mixmonitor}
func_{channel,callerid,global,hangupcause,logic,strings,talkdetect,timeout,cdr,db,volume,jitterbuffer,cut,groupcount,uri}
func_{dialplan,periodic_hook} res_speech res_agi
"""
_ESSENTIAL = """
res_sorcery_{config,astdb} res_http_websocket res_stasis res_stasis_{answer,playback,recording}
res_ari res_ari_{asterisk,bridges,channels,events,playbacks,recordings} app_stasis res_pjsip res_pjsip_session
res_pjsip_{authenticator_digest,endpoint_identifier_ip,endpoint_identifier_user,registrar,sdp_rtp,nat} chan_pjsip
res_rtp_asterisk codec_{ulaw,alaw,gsm} format_{wav,gsm} bridge_simple pbx_config app_{dial,playback,mixmonitor} func_{db,strings}
"""


def present_modules(modules_dir: Path) -> list[str]:
    """The wanted modules that this Asterisk has. Raises SetupError when it lacks one that nothing works without."""
    present = {path.stem for path in modules_dir.glob("*.so")}
    missing = [name for name in _names(_ESSENTIAL) if name not in present]
    if missing:
        raise SetupError(
            f"the Asterisk at {modules_dir} lacks the modules {', '.join(missing)}: install them, or unset "
            "ATTENDANT_ASTERISK and take Debian's Asterisk by setting ATTENDANT_ASTERISK_PREFIX"
        )
    return [name for name in _names(_WANTED) if name in present]


def wanted_modules() -> list[str]:
    """The modules of Debian's whole package, for an Asterisk whose files can't be seen from here."""
    return _names(_WANTED)


def _names(text: str) -> list[str]:
    names: list[str] = []
    for word in text.split():
        match = re.fullmatch(r"(.*)\{(.*)\}", word)
        names += [match[1] + ending for ending in match[2].split(",")] if match else [word]
    return names
