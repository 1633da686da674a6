-- Point reads of a case document with its stages and actions.
local token, cases = os.getenv("TOKEN"), tonumber(os.getenv("CASES"))
math.randomseed(os.time())

function request()
  local path = string.format("/v1/cases/00000000-0000-7000-8000-%012x?expand=stages,actions", math.random(cases))
  return wrk.format("GET", path, { ["Authorization"] = "Bearer " .. token })
end
