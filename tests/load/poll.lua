-- Polls a table of statistics that has not changed.
wrk.headers["Authorization"] = "Bearer " .. (os.getenv("TOKEN") or "")
wrk.headers["If-None-Match"] = os.getenv("TAG")
request = function()
    return wrk.format("GET", os.getenv("TARGET"))
end
