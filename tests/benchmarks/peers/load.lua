-- wrk's script: posts the lines of a file in turn, counts answers that are not "passed", prints one line of JSON.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("offset", #threads * 997)
end

function init(args)
  bodies, bad, turn = {}, 0, offset
  for line in io.lines(args[1]) do bodies[#bodies + 1] = line end
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  if args[2] then wrk.headers["Authorization"] = "Bearer " .. args[2] end
end

function request()
  turn = turn + 1
  return wrk.format(nil, nil, nil, bodies[turn % #bodies + 1])
end

function response(status, headers, body)
  if status ~= 200 or not body:find('"indication":"passed"', 1, true) then bad = bad + 1 end
end

function done(summary, latency)
  local wrong = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  for _, thread in ipairs(threads) do wrong = wrong + thread:get("bad") end
  print(string.format(
    'result {"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "wrong": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, wrong))
end
