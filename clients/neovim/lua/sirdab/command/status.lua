--- `:Sirdab status`: what the server and the model are doing.
local common = require("sirdab.command.common")

---@param statistics? table The answer to `sirdab/statistics`.
local function tell(statistics)
  local status = require("sirdab.status").get()
  local parts = { ("%s. %s"):format(status.state, status.message) }
  parts[#parts + 1] = status.model and ("Model: %s."):format(status.model)
  parts[#parts + 1] = status.endpoint and ("Endpoint: %s."):format(status.endpoint)
  if statistics then
    local last = type(statistics.last) == "table" and statistics.last or nil
    parts[#parts + 1] = last and ("Last answer: %d ms."):format(last.latencyMs)
    parts[#parts + 1] = ("Accepted today: %d."):format(statistics.acceptedToday)
  end
  common.say(table.concat(parts, " "))
end

return function()
  local lsp = require("sirdab.lsp")
  local client = lsp.clients(0)[1] or lsp.clients()[1]
  if not client then
    return tell()
  end
  local rpc = require("sirdab.ghost.rpc")
  rpc.call(client, "request", "sirdab/statistics", vim.empty_dict(), function(err, result)
    -- A server that does not count says what it does know all the same.
    tell(not err and type(result) == "table" and result.acceptedToday and result or nil)
  end)
end
