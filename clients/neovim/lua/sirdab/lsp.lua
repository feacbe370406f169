--- Starts the server, attaches it to buffers, and starts it again when it dies.
local buffers = require("sirdab.buffers")
local config = require("sirdab.config")
local process = require("sirdab.process")
local restarts = require("sirdab.restarts")
local rpc = require("sirdab.ghost.rpc")
local status = require("sirdab.status")

local M = {}

M.name = "sirdab"

--- Whether `setup()` was called, which is what asks for keys.
M.wants_keys = false

--- Settings chosen while Neovim runs, over those of the options.
---@type table
M.chosen = {}

--- Clients that were asked to stop, by id: their end is no accident.
---@type table<integer, true>
local stopping = {}
--- Buffers each client is for, kept because Neovim forgets them when it dies.
---@type table<integer, table<integer, true>>
local attached = {}

---@param client_id integer
---@param bufnr integer
local function remember(client_id, bufnr)
  attached[client_id] = attached[client_id] or {}
  attached[client_id][bufnr] = true
end

--- Names of languages in the protocol that are not Neovim's filetype.
local language_ids = {
  bash = "shellscript",
  cs = "csharp",
  javascript_jsx = "javascriptreact",
  make = "makefile",
  objc = "objective-c",
  objcpp = "objective-cpp",
  sh = "shellscript",
  tex = "latex",
  typescript_tsx = "typescriptreact",
  zsh = "shellscript",
}

--- Returns the protocol's name of a buffer's language.
---@param _ integer
---@param filetype string
---@return string
function M.language_id(_, filetype)
  return language_ids[(filetype:gsub("%.", "_"))] or filetype
end

--- Returns a table that is a JSON object even when it is empty.
---@param value any
---@return table
local function object(value)
  return type(value) == "table" and next(value) ~= nil and value or vim.empty_dict()
end

--- Returns the configuration in force, which the user may have changed with `vim.lsp.config`.
---@return vim.lsp.Config
local function resolved()
  return vim.lsp.config and vim.deepcopy(vim.lsp.config[M.name]) or M.client_config()
end

--- Returns the command in force.
---@return any cmd A list of strings, or what else `vim.lsp.config` allows.
function M.command()
  return resolved().cmd
end

--- Attaches a server to a buffer: one that runs for the same root, else a new one.
---@param client_config vim.lsp.ClientConfig
---@param bufnr integer
local function launch(client_config, bufnr)
  local opts = { bufnr = bufnr } ---@type vim.lsp.start.Opts
  if vim.fn.has("nvim-0.11") == 0 then
    -- Left to itself, 0.10 starts a server for every file without a root, and takes one that is
    -- being stopped for one that runs.
    opts.reuse_client = function(client, wanted_config)
      return client.name == wanted_config.name
        and not rpc.call(client, "is_stopped")
        and client.config.root_dir == wanted_config.root_dir
    end
  end
  local client_id = vim.lsp.start(client_config, opts)
  if client_id then
    remember(client_id, bufnr)
  end
end

--- Gives a buffer the ghost text of a client, and the keys.
---@param client vim.lsp.Client
---@param bufnr integer
local function dress(client, bufnr)
  require("sirdab.ghost").attach(client, bufnr)
  if M.wants_keys then
    require("sirdab.keys").attach(bufnr)
  end
end

--- Takes ghost text and keys away from a buffer that a client left, unless another one is there.
---@param bufnr integer
---@param client_id integer The client that left, or is leaving.
local function undress(bufnr, client_id)
  require("sirdab.ghost").detach(bufnr)
  for _, client in ipairs(M.clients(bufnr)) do
    if client.id ~= client_id then
      dress(client, bufnr)
      return
    end
  end
  require("sirdab.keys").detach(bufnr)
end

--- Signal that Neovim sends to a server that it stops before it is ready.
local sigterm = 15

---@param code integer
---@param signal integer
---@param client_id integer
local function on_exit(code, signal, client_id)
  local expected = stopping[client_id] ~= nil
  local client = vim.lsp.get_client_by_id(client_id)
  local was_ready = client ~= nil and client.initialized == true
  local ending = process.ending(client and client.config, code, signal)
  vim.schedule(function()
    local bufs = attached[client_id] or {}
    attached[client_id], stopping[client_id] = nil, nil
    for bufnr in pairs(bufs) do
      undress(bufnr, client_id)
    end
    if vim.v.exiting ~= vim.NIL or not client then
      return
    end
    if expected or (not was_ready and ending.signal == sigterm) then
      if #M.clients() == 0 then
        status.set({ state = "stopped", message = "The server is not running." })
      end
      return
    end
    local root, how = client.config.root_dir or "", process.describe(ending)
    restarts.after_end(root, bufs, was_ready, how, M.command(), M.start)
  end)
end

--- Remembers that a client was asked to stop, by whomever.
---@param client vim.lsp.Client
local function note_stops(client)
  local stop = client.stop
  ---@diagnostic disable-next-line: duplicate-set-field
  client.stop = function(...)
    stopping[client.id] = true
    return stop(...)
  end
end

---@param client vim.lsp.Client
local function on_init(client)
  note_stops(client)
  if status.get().state == "stopped" then
    status.set({ state = "starting", message = "The server is starting." })
  end
  restarts.ready()
end

--- Takes the settings from wherever the user's configuration put them.
---@param params table
---@param client_config vim.lsp.ClientConfig
local function before_init(params, client_config)
  local section = type(client_config.settings) == "table" and client_config.settings.sirdab
  if params.initializationOptions == nil or params.initializationOptions == vim.NIL then
    params.initializationOptions =
      object(vim.tbl_deep_extend("force", section or config.current.settings, M.chosen))
  end
end

--- Returns the configuration of the client, for `vim.lsp.config` and `vim.lsp.start`.
---@return vim.lsp.Config
function M.client_config()
  local options = config.current
  return {
    name = M.name,
    cmd = options.cmd,
    filetypes = options.filetypes or nil,
    root_dir = M.root_dir,
    settings = { sirdab = object(options.settings) },
    -- Neovim 0.10 and 0.11 do not name it, and the server would take them for editors that
    -- need suggestions in the completion menu.
    capabilities = {
      textDocument = { inlineCompletion = { dynamicRegistration = false } },
      experimental = {
        sirdab = { clientCommands = { "sirdab.instruct", "sirdab.showExplanation" } },
      },
    },
    get_language_id = M.language_id,
    handlers = { ["sirdab/status"] = status.on_status },
    commands = {
      -- Run here and not by Neovim, so that no other server is asked and no reply is shown.
      ["sirdab.accept"] = function(accepted, context)
        local client = vim.lsp.get_client_by_id(context.client_id)
        if client then
          rpc.call(client, "request", "workspace/executeCommand", {
            command = accepted.command,
            arguments = accepted.arguments,
          }, function() end, context.bufnr)
        end
      end,
      ["sirdab.showExplanation"] = function(command, context)
        require("sirdab.command.refactor").show_explanation(command, context)
      end,
      ["sirdab.instruct"] = function(command, context)
        require("sirdab.command.rewrite").instruct(command, context)
      end,
    },
    before_init = before_init,
    on_init = on_init,
    on_exit = on_exit,
  }
end

--- Returns the clients that run.
---@param bufnr? integer Only those of one buffer.
---@return vim.lsp.Client[]
function M.clients(bufnr)
  return vim.tbl_filter(function(client)
    return not rpc.call(client, "is_stopped")
  end, vim.lsp.get_clients({ name = M.name, bufnr = bufnr }))
end

--- Called when the client was attached to a buffer, however it was started.
---@param client vim.lsp.Client
---@param bufnr integer
function M.on_attach(client, bufnr)
  remember(client.id, bufnr)
  dress(client, bufnr)
end

--- Called when the client was detached from a buffer.
---@param client_id integer
---@param bufnr integer
function M.on_detach(client_id, bufnr)
  -- A client that is dying keeps its buffers on the list: they are those to come back to.
  local client = vim.lsp.get_client_by_id(client_id)
  if client and attached[client_id] and not rpc.call(client, "is_stopped") then
    attached[client_id][bufnr] = nil
  end
  undress(bufnr, client_id)
end

--- Starts the server for a buffer that Sirdab is for.
---@param bufnr integer
function M.start(bufnr)
  local client_config = resolved() --[[@as vim.lsp.ClientConfig]]
  local cmd = client_config.cmd
  if restarts.given_up or not buffers.wanted(bufnr) or not process.executable(cmd) then
    return
  end
  client_config.root_dir = vim.fs.root(bufnr, config.current.root_markers)
  client_config.capabilities = vim.tbl_deep_extend(
    "force",
    vim.lsp.protocol.make_client_capabilities(),
    client_config.capabilities or {}
  )
  if type(cmd) == "table" then
    client_config.cmd = process.starter(cmd, client_config)
  end
  launch(client_config, bufnr)
end

--- Called by Neovim for a buffer of `vim.lsp.enable()`. Nothing is answered: a server that Neovim
--- starts by itself would end without a word of ours.
---@param bufnr integer
function M.root_dir(bufnr)
  M.start(bufnr)
end

--- Makes options that were changed count in servers that run: their settings, keys and ghost text.
local function refresh()
  for _, client in ipairs(M.clients()) do
    client.settings = resolved().settings
    rpc.call(client, "notify", "workspace/didChangeConfiguration", { settings = client.settings })
    for _, bufnr in ipairs(vim.tbl_keys(client.attached_buffers)) do
      require("sirdab.keys").detach(bufnr)
      require("sirdab.ghost").detach(bufnr)
      dress(client, bufnr)
    end
  end
end

--- Calls a function with every buffer that is loaded.
---@param call fun(bufnr: integer)
local function each_loaded(call)
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(bufnr) then
      call(bufnr)
    end
  end
end

--- Attaches the server to the buffers there are and to those to come.
function M.enable()
  M.wants_keys = true
  process.forget_missing()
  restarts.reset(false)
  local managed = vim.lsp.enable ~= nil
  if managed then
    -- Adds nothing to what the user gave, and has lsp/sirdab.lua read again, with these options.
    vim.lsp.config(M.name, {})
  end
  refresh()
  ---@param bufnr integer
  local function begin(bufnr)
    if not managed then
      M.start(bufnr)
    elseif buffers.is_source(bufnr) then
      -- Neovim does not come to us where the program is missing; a person should be told.
      process.executable(M.command())
    end
  end
  vim.api.nvim_create_autocmd("FileType", {
    group = vim.api.nvim_create_augroup("sirdab.filetype", { clear = true }),
    callback = function(event)
      begin(event.buf)
    end,
  })
  each_loaded(begin)
  if managed then
    -- The configuration is lsp/sirdab.lua, which reads the options in force.
    vim.lsp.enable(M.name)
  end
end

--- Stops the server and starts it again for the buffers it had; starts it where it does not run.
function M.restart()
  process.forget_missing()
  restarts.reset(true)
  local bufs = {} ---@type table<integer, true>
  for _, client in ipairs(M.clients()) do
    bufs = vim.tbl_extend("force", bufs, attached[client.id] or {})
    rpc.call(client, "stop")
  end
  if next(bufs) == nil then
    each_loaded(function(bufnr)
      bufs[bufnr] = true
    end)
  end
  local tries = 0
  local function start_when_stopped()
    tries = tries + 1
    local left = vim.lsp.get_clients({ name = M.name })
    if #left > 0 and tries < 100 then
      if tries == 40 then
        -- Two seconds are enough to end in good order.
        for _, client in ipairs(left) do
          rpc.call(client, "stop", true)
        end
      end
      vim.defer_fn(start_when_stopped, 50)
      return
    end
    for bufnr in pairs(bufs) do
      if vim.api.nvim_buf_is_loaded(bufnr) then
        M.start(bufnr)
      end
    end
  end
  start_when_stopped()
end

return M
