"""How often strangers may open disputes and look slips up, from one address and all together."""

from yinxin.base.buckets import Limit

OPENING, FOLLOWING = Limit("dispute", 5, 1), Limit("dispute-follow", 20, 20)
TOGETHER = Limit("dispute-all", 60, 60)
