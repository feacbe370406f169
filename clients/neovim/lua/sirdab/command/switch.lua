--- `:Sirdab toggle` and `:Sirdab snooze`: suggestions off and on again.
local common = require("sirdab.command.common")

local M = {}

--- What `toggle` may be limited to.
M.scopes = { "file", "language" }

---@param arguments string[]
function M.toggle(arguments)
  local scope = arguments[1]
  if scope and not vim.tbl_contains(M.scopes, scope) then
    return common.warn((":Sirdab toggle takes %s or nothing."):format(table.concat(M.scopes, ", ")))
  end
  local client = common.client_or_say()
  if not client then
    return
  end
  local bufnr = vim.api.nvim_get_current_buf()
  local argument, what = nil, "everywhere"
  if scope == "language" then
    local filetype = vim.bo[bufnr].filetype
    local language = require("sirdab.lsp").language_id(bufnr, filetype)
    argument, what = { scope = scope, languageId = language }, "for " .. filetype
  elseif scope == "file" then
    argument, what = { scope = scope, uri = vim.uri_from_bufnr(bufnr) }, "for this file"
  end
  require("sirdab.ghost").dismiss()
  common.execute(client, "sirdab.toggle", { argument }, "switch suggestions", function(result)
    if type(result) == "table" and type(result.enabled) == "boolean" then
      common.say(("suggestions are %s %s."):format(result.enabled and "on" or "off", what))
    end
  end)
end

--- Minutes without suggestions when none are named.
local default_minutes = 30

---@param arguments string[]
function M.snooze(arguments)
  local minutes = arguments[1] == nil and default_minutes or tonumber(arguments[1])
  if not minutes or minutes % 1 ~= 0 or minutes < 0 or minutes > 1440 then
    return common.warn(":Sirdab snooze takes whole minutes, 1 to 1440, or 0 to end it.")
  end
  local client = common.client_or_say()
  if not client then
    return
  end
  require("sirdab.ghost").dismiss()
  common.execute(client, "sirdab.snooze", { minutes }, "snooze", function(result)
    local till = type(result) == "table" and type(result["until"]) == "string" and result["until"]
    local clock = till and till:match("T(%d%d:%d%d)")
    if clock then
      common.say(("suggestions are off until %s; `:Sirdab snooze 0` ends that."):format(clock))
    else
      common.say("suggestions are no longer snoozed.")
    end
  end)
end

return M
