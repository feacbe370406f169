--- The command `:Sirdab`: what its subcommands are called, and where each one is.
local M = {}

---@class sirdab.Subcommand
---@field run fun(arguments: string[], range?: { [1]: integer, [2]: integer })
---@field complete? fun(): string[] What its first argument may be.
---@field arguments? integer How many it takes; none when nil.

local function log()
  local path = vim.lsp.log and vim.lsp.log.get_filename() or vim.lsp.get_log_path()
  if vim.fn.filereadable(path) == 0 then
    require("sirdab.command.common").say(("there is no log yet at %s."):format(path))
    return
  end
  vim.cmd.tabedit({ args = { path }, magic = { file = false } })
  vim.cmd.normal({ args = { "G" }, bang = true })
end

--- Returns a function that loads a module when it is called.
---@param name string Its name under "sirdab.command".
---@param field? string The function wanted of it; the module itself when nil.
---@return fun(arguments: string[], range?: { [1]: integer, [2]: integer })
local function from(name, field)
  return function(arguments, range)
    local module = require("sirdab.command." .. name)
    return (field and module[field] or module)(arguments, range)
  end
end

---@type table<string, sirdab.Subcommand>
local subcommands = {
  dismiss = {
    run = from("review", "dismiss"),
    arguments = 1,
    complete = function()
      return require("sirdab.command.review").ways
    end,
  },
  doctor = { run = from("doctor") },
  explain = {
    run = from("explain"),
    arguments = 1,
    complete = function()
      return { "code" }
    end,
  },
  log = { run = log },
  model = { run = from("model"), arguments = 1 },
  refactor = {
    run = from("refactor", "refactor"),
    arguments = 1,
    complete = function()
      return require("sirdab.command.refactor").kinds
    end,
  },
  restore = {
    run = from("review", "restore"),
    arguments = 1,
    complete = function()
      return { "all" }
    end,
  },
  restart = {
    run = function()
      require("sirdab.lsp").restart()
    end,
  },
  review = {
    run = from("review", "review"),
    arguments = 1,
    complete = function()
      return require("sirdab.command.review").scopes
    end,
  },
  rewrite = { run = from("rewrite", "rewrite"), arguments = math.huge },
  snooze = {
    run = from("switch", "snooze"),
    arguments = 1,
    complete = function()
      return { "0", "5", "10", "30", "60" }
    end,
  },
  status = { run = from("status") },
  toggle = {
    run = from("switch", "toggle"),
    arguments = 1,
    complete = function()
      return require("sirdab.command.switch").scopes
    end,
  },
}

--- Runs `:Sirdab {subcommand}`; without one, `status`.
---@param arguments string[]
---@param range? { [1]: integer, [2]: integer } First and last line, 1-based.
function M.run(arguments, range)
  local name = arguments[1] or "status"
  local subcommand = subcommands[name]
  if not subcommand or #arguments - 1 > (subcommand.arguments or 0) then
    require("sirdab.command.common").warn(
      ("`:Sirdab %s` is not known; there are: %s."):format(
        table.concat(arguments, " "),
        table.concat(M.complete("", "Sirdab "), ", ")
      )
    )
    return
  end
  subcommand.run(vim.list_slice(arguments, 2), range)
end

--- Completes the name of a subcommand, or its first argument.
---@param lead string What is to be completed.
---@param line string The command line up to the cursor.
---@return string[]
function M.complete(lead, line)
  -- What is before the command, a range or a modifier, is none of its words.
  local before = line:sub(1, #line - #lead):gsub("^.-Sirdab", "Sirdab")
  local words = vim.split(vim.trim(before), "%s+")
  local choices = {} ---@type string[]
  if #words == 1 then
    choices = vim.tbl_keys(subcommands)
    table.sort(choices)
  elseif #words == 2 then
    local subcommand = subcommands[words[2]]
    choices = subcommand and subcommand.complete and subcommand.complete() or {}
  end
  return vim.tbl_filter(function(choice)
    return vim.startswith(choice, lead)
  end, choices)
end

return M
