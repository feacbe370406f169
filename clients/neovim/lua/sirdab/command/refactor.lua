--- `:Sirdab refactor`, and what a piece of code does: `:Sirdab explain code`.
local common = require("sirdab.command.common")

local M = {}

--- What the server calls its refactorings.
M.kinds = { "document", "types", "simplify", "faster", "errors", "extract", "tests" }

--- Returns the lines of a command's range, or the cursor: then it is the function around it.
---@param client vim.lsp.Client
---@param range? { [1]: integer, [2]: integer } First and last line, 1-based.
---@return { uri: string, range: lsp.Range }
local function target(client, range)
  local bufnr = vim.api.nvim_get_current_buf()
  local span
  if range then
    span = common.lines_range(client, bufnr, range[1], range[2])
  else
    local cursor = vim.api.nvim_win_get_cursor(0)
    local place = require("sirdab.ghost.rpc").position(client, bufnr, cursor[1] - 1, cursor[2])
    span = { start = place, ["end"] = place }
  end
  return { uri = vim.uri_from_bufnr(bufnr), range = span }
end

--- `:[range]Sirdab refactor {kind}`
---@param arguments string[]
---@param range? { [1]: integer, [2]: integer } First and last line, 1-based.
function M.refactor(arguments, range)
  local kind = arguments[1]
  if not vim.tbl_contains(M.kinds, kind) then
    return common.warn((":Sirdab refactor takes one of: %s."):format(table.concat(M.kinds, ", ")))
  end
  local client = common.client_or_say()
  if not client then
    return
  end
  local argument = target(client, range)
  argument["do"] = kind
  common.execute(client, "sirdab.refactor", { argument }, "refactor code", function(result)
    if type(result) == "table" and type(result.message) == "string" and result.message ~= "" then
      common.say(result.message)
    end
  end)
end

--- Asks what a piece of code does, and shows the answer as Neovim shows documentation.
---@param client vim.lsp.Client
---@param argument { uri: string, range: lsp.Range }
local function explain(client, argument)
  local arguments = { { uri = argument.uri, range = argument.range } }
  local asked_in = vim.api.nvim_get_current_win()
  common.execute(client, "sirdab.explainCode", arguments, "explain code", function(result)
    local said = type(result) == "table" and result.explanation
    if type(said) ~= "string" or said == "" then
      return
    end
    local lines = vim.split(said, "\n", { plain = true })
    if vim.api.nvim_get_current_win() ~= asked_in then
      -- A window at the cursor of another text would seem to be about that.
      common.show_lines(" Sirdab: what the code does (q closes)", lines, "markdown")
      return
    end
    vim.lsp.util.open_floating_preview(lines, "markdown", {
      focus_id = "sirdab.explanation",
      max_width = 80,
      wrap = true,
      border = vim.fn.exists("+winborder") == 0 and "rounded" or nil,
    })
  end)
end

--- `:[range]Sirdab explain code`
---@param range? { [1]: integer, [2]: integer } First and last line, 1-based.
function M.explain(range)
  local client = common.client_or_say()
  if client then
    explain(client, target(client, range))
  end
end

--- The client command `sirdab.showExplanation`: a code action of the server wants it shown.
---@param command lsp.Command Its argument is `{ uri, range }`.
---@param context { client_id: integer }
function M.show_explanation(command, context)
  local client = vim.lsp.get_client_by_id(context.client_id)
  local argument = type(command.arguments) == "table" and command.arguments[1]
  if client and type(argument) == "table" then
    explain(client, argument)
  end
end

return M
