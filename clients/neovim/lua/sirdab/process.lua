--- The program that is the server: which one it is, how it is started, and why it does not start.
local M = {}

--- Whether the user was told that the program is missing.
local told_missing = false

--- How each started server ended, by the function that started it.
---@type table<function, sirdab.End>
local ends = setmetatable({}, { __mode = "k" })

---@class sirdab.End
---@field code integer Exit code.
---@field signal integer Signal that ended it, or 0.

--- What a person does about a program that cannot be run.
M.remedy = 'install it with `pip install "sirdab[embedded]"`, or correct the option `cmd`'

--- Returns the command with other arguments than those for a language server: "--version", say.
---@param cmd string[]
---@param ... string
---@return string[]
function M.with_arguments(cmd, ...)
  -- What comes before --stdio may be more than a program: { "python", "-m", "sirdab" }.
  local out = vim.tbl_filter(function(argument)
    return argument ~= "--stdio"
  end, cmd)
  return vim.list_extend(out, { ... })
end

--- Whether a command can be run; says once when it cannot.
---@param cmd any A list of strings, or what else `vim.lsp.config` allows.
---@return boolean
function M.executable(cmd)
  if type(cmd) ~= "table" or vim.fn.executable(cmd[1]) == 1 then
    return true
  end
  if not told_missing then
    told_missing = true
    local message = ("sirdab: the program %s was not found; %s (see :checkhealth sirdab)."):format(
      vim.inspect(cmd[1]),
      M.remedy
    )
    -- Put off, because an error that is shown while a file is being opened interrupts that.
    vim.schedule(function()
      vim.notify(message, vim.log.levels.ERROR)
    end)
  end
  return false
end

--- Lets a missing program be told of again.
function M.forget_missing()
  told_missing = false
end

--- Returns a function that starts the server, for the `cmd` of a client.
---
--- Neovim reports each end of a server by itself, with numbers and a path. What happened, and what
--- to do, is said by us and once, so Neovim is told of an ordinary end.
---@param argv string[]
---@param client_config table
---@return fun(dispatchers: vim.lsp.rpc.Dispatchers): vim.lsp.rpc.PublicClient
function M.starter(argv, client_config)
  local function start(dispatchers)
    local on_exit = dispatchers.on_exit
    dispatchers.on_exit = function(code, signal)
      ends[start] = { code = code, signal = signal }
      on_exit(0, 0)
    end
    return vim.lsp.rpc.start(argv, dispatchers, {
      cwd = client_config.cmd_cwd,
      env = client_config.cmd_env,
      detached = client_config.detached,
    })
  end
  return start
end

--- Returns how the server of a client ended.
---@param client_config? table
---@param code integer What Neovim says.
---@param signal integer
---@return sirdab.End
function M.ending(client_config, code, signal)
  return client_config and ends[client_config.cmd] or { code = code, signal = signal }
end

--- Returns the end of a server in words.
---@param ending sirdab.End
---@return string
function M.describe(ending)
  return ending.signal ~= 0 and ("signal %d"):format(ending.signal)
    or ("exit code %d"):format(ending.code)
end

--- Runs the program once more, only to hear what it says, and passes on its last words.
---@param cmd any
---@param done fun(said?: string) Called with a line, or with nil where it has no complaint.
function M.ask_why(cmd, done)
  if type(cmd) ~= "table" then
    return done(nil)
  end
  local options = { text = true, timeout = 10000 }
  local ok = pcall(vim.system, M.with_arguments(cmd, "--version"), options, function(result)
    local said ---@type string?
    if result.code ~= 0 then
      local lines = vim.split(vim.trim(result.stderr or ""), "\n", { plain = true })
      said = lines[#lines] ~= "" and lines[#lines] or nil
    end
    vim.schedule(function()
      done(said)
    end)
  end)
  if not ok then
    done(nil)
  end
end

return M
