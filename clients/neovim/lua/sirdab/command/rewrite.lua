--- Rewriting a piece of code as a person says: `:Sirdab rewrite`, and the code action that asks.
local common = require("sirdab.command.common")

local M = {}

---@param client vim.lsp.Client
---@param argument { uri: string, range: lsp.Range }
---@param instruction? string
local function rewrite(client, argument, instruction)
  instruction = vim.trim(instruction or "")
  if instruction == "" then
    return
  end
  local arguments = { { uri = argument.uri, range = argument.range, instruction = instruction } }
  common.execute(client, "sirdab.rewrite", arguments, "rewrite code", function(result)
    if type(result) == "table" and type(result.message) == "string" and result.message ~= "" then
      common.say(result.message)
    end
  end)
end

---@param client vim.lsp.Client
---@param argument { uri: string, range: lsp.Range }
local function ask(client, argument)
  vim.ui.input({ prompt = "Sirdab: rewrite so that … " }, function(instruction)
    rewrite(client, argument, instruction)
  end)
end

--- The client command `sirdab.instruct`: a code action of the server wants an instruction.
---@param command lsp.Command Its argument is `{ uri, range }`.
---@param context { client_id: integer }
function M.instruct(command, context)
  local client = vim.lsp.get_client_by_id(context.client_id)
  local argument = type(command.arguments) == "table" and command.arguments[1]
  if client and type(argument) == "table" then
    ask(client, argument)
  end
end

--- `:[range]Sirdab rewrite [instruction]`
---@param arguments string[]
---@param range? { [1]: integer, [2]: integer } First and last line, 1-based.
function M.rewrite(arguments, range)
  local client = common.client_or_say()
  if not client then
    return
  elseif not common.offers(client, "sirdab.rewrite") then
    common.execute(client, "sirdab.rewrite", {}, "rewrite code")
    return
  end
  local bufnr = vim.api.nvim_get_current_buf()
  local here = vim.api.nvim_win_get_cursor(0)[1]
  local first, last = here, here
  if range then
    first, last = range[1], range[2]
  end
  local argument = {
    uri = vim.uri_from_bufnr(bufnr),
    range = common.lines_range(client, bufnr, first, last),
  }
  if #arguments > 0 then
    rewrite(client, argument, table.concat(arguments, " "))
  else
    ask(client, argument)
  end
end

return M
