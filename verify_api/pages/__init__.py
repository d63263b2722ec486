"""The pages of the verification service: for anybody, and for clerks at a counter.

`public_router` and `counter_router` make the routes; `yinxin.app` wires them. What they show is decided in
`verify_api`; here it is only said in words.
"""
