-- Pages of the change feed at the positions in TARGETS, one after the other.
local token, targets = os.getenv("TOKEN"), {}
for target in os.getenv("TARGETS"):gmatch("%S+") do
  targets[#targets + 1] = target
end
local count = 0

function request()
  count = count + 1
  return wrk.format("GET", targets[count % #targets + 1], { ["Authorization"] = "Bearer " .. token })
end
