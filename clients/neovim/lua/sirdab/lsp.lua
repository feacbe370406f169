--- Starts the server, attaches it to buffers, and starts it again when it dies.
local config = require("sirdab.config")
local rpc = require("sirdab.ghost.rpc")
local status = require("sirdab.status")

local M = {}

M.name = "sirdab"

--- Whether `setup()` was called, which is what asks for keys.
M.wants_keys = false

--- A server that dies is started again at most this often within the window.
local max_restarts, window_ms = 5, 3 * 60 * 1000
--- Pause before the first restart; it doubles with each one within the window.
local first_pause_ms = 250

--- Times of the last restarts, in milliseconds.
---@type integer[]
local restarts = {}
--- Clients that were asked to stop, by id: their end is no accident.
---@type table<integer, true>
local stopping = {}
--- Buffers each client was attached to, kept because Neovim forgets them when it dies.
---@type table<integer, table<integer, true>>
local attached = {}
--- Whether the next server that answers is worth a word.
local restarting = false
--- Whether the user was told that the program is missing, or that it does not start.
local told_missing, told_failed = false, false

--- What a person does about a server that cannot be started.
local remedy = 'install it with `pip install "sirdab[embedded]"`, or correct the option `cmd`'

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

---@param _ integer
---@param filetype string
---@return string
local function language_id(_, filetype)
  return language_ids[(filetype:gsub("%.", "_"))] or filetype
end

--- Returns a table that is a JSON object even when it is empty.
---@param value any
---@return table
local function object(value)
  return type(value) == "table" and next(value) ~= nil and value or vim.empty_dict()
end

--- Whether Sirdab should look at a buffer.
---@param bufnr integer
---@return boolean
local function wanted(bufnr)
  local options = config.current
  local filetype = vim.bo[bufnr].filetype
  return vim.bo[bufnr].buftype == ""
    and vim.api.nvim_buf_get_name(bufnr) ~= ""
    and filetype ~= ""
    and not vim.tbl_contains(options.exclude_filetypes, filetype)
    and (
      not options.filetypes or vim.tbl_contains(options.filetypes --[[@as string[] ]], filetype)
    )
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

--- Whether the command can be run; says once when it cannot.
---@param cmd any A list of strings, or what else `vim.lsp.config` allows.
---@return boolean
local function executable(cmd)
  if type(cmd) ~= "table" or vim.fn.executable(cmd[1]) == 1 then
    return true
  end
  if not told_missing then
    told_missing = true
    local message = ("sirdab: the program %s was not found; %s (see :checkhealth sirdab)."):format(
      vim.inspect(cmd[1]),
      remedy
    )
    -- Put off, because an error that is shown while a file is being opened interrupts that.
    vim.schedule(function()
      vim.notify(message, vim.log.levels.ERROR)
    end)
  end
  return false
end

--- Says where a buffer's project is, or, by not answering, that it is not for us.
---@param bufnr integer
---@param on_dir fun(root?: string)
function M.root_dir(bufnr, on_dir)
  if wanted(bufnr) and executable(M.command()) then
    on_dir(vim.fs.root(bufnr, config.current.root_markers))
  end
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
  vim.lsp.start(client_config, opts)
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

--- Starts a server that died again, with the buffers it had.
---@param client_config vim.lsp.ClientConfig
---@param bufs table<integer, true>
---@param how string What happened, for the user.
local function restart_after_crash(client_config, bufs, how)
  local now = vim.uv.now()
  restarts = vim.tbl_filter(function(time)
    return now - time < window_ms
  end, restarts)
  if #restarts >= max_restarts then
    status.set({ state = "stopped", message = "The server died too often." })
    status.notify(
      ("the server died %d times in 3 minutes and is left alone; :Sirdab log shows why, "):format(
        #restarts + 1
      ) .. ":Sirdab restart starts it again.",
      vim.log.levels.ERROR
    )
    return
  end
  restarts[#restarts + 1] = now
  restarting = true
  status.set({ state = "starting", message = "The server is being started again." })
  status.notify(
    ("the server stopped unexpectedly (%s); starting it again."):format(how),
    vim.log.levels.WARN
  )
  vim.defer_fn(function()
    for bufnr in pairs(bufs) do
      if vim.api.nvim_buf_is_loaded(bufnr) then
        launch(client_config, bufnr)
      end
    end
  end, first_pause_ms * 2 ^ (#restarts - 1))
end

--- Says once that a server ended before it was ready. It would do so again, so it is left alone.
---@param how string What happened, for the user.
local function tell_failed_start(how)
  status.set({ state = "stopped", message = ("The server did not start (%s)."):format(how) })
  if not told_failed then
    told_failed = true
    vim.notify(
      ("sirdab: the server did not start (%s); %s, then :Sirdab restart (see :Sirdab log)."):format(
        how,
        remedy
      ),
      vim.log.levels.ERROR
    )
  end
end

--- Signal that Neovim sends to a server that it stops before it is ready.
local sigterm = 15

---@param code integer
---@param signal integer
---@param client_id integer
local function on_exit(code, signal, client_id)
  local expected = stopping[client_id] ~= nil
  local client = vim.lsp.get_client_by_id(client_id)
  local client_config = client and client.config
  local was_ready = client and client.initialized
  vim.schedule(function()
    local bufs = attached[client_id] or {}
    attached[client_id], stopping[client_id] = nil, nil
    for bufnr in pairs(bufs) do
      undress(bufnr, client_id)
    end
    if vim.v.exiting ~= vim.NIL or not client_config then
      return
    end
    local how = signal ~= 0 and ("signal %d"):format(signal) or ("exit code %d"):format(code)
    if expected or (not was_ready and signal == sigterm) then
      if #M.clients() == 0 then
        status.set({ state = "stopped", message = "The server is not running." })
      end
    elseif was_ready then
      restart_after_crash(client_config, bufs, how)
    else
      tell_failed_start(how)
    end
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
  told_failed = false
  if status.get().state == "stopped" then
    status.set({ state = "starting", message = "The server is starting." })
  end
  if restarting then
    restarting = false
    status.notify("the server is running again.", vim.log.levels.INFO)
  end
end

--- Takes the settings from wherever the user's configuration put them.
---@param params table
---@param client_config vim.lsp.ClientConfig
local function before_init(params, client_config)
  local section = type(client_config.settings) == "table" and client_config.settings.sirdab
  if params.initializationOptions == nil or params.initializationOptions == vim.NIL then
    params.initializationOptions = object(section or config.current.settings)
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
    capabilities = { textDocument = { inlineCompletion = { dynamicRegistration = false } } },
    get_language_id = language_id,
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
  attached[client.id] = attached[client.id] or {}
  attached[client.id][bufnr] = true
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
local function start(bufnr)
  local client_config = resolved()
  M.root_dir(bufnr, function(root)
    client_config.root_dir = root
    client_config.capabilities = vim.tbl_deep_extend(
      "force",
      vim.lsp.protocol.make_client_capabilities(),
      client_config.capabilities or {}
    )
    launch(client_config --[[@as vim.lsp.ClientConfig]], bufnr)
  end)
end

--- Makes options that were changed count in servers that run: their settings, keys and ghost text.
local function refresh()
  for _, client in ipairs(M.clients()) do
    client.settings = resolved().settings
    rpc.call(client, "notify", "workspace/didChangeConfiguration", { settings = client.settings })
    for _, bufnr in ipairs(vim.lsp.get_buffers_by_client_id(client.id)) do
      require("sirdab.keys").detach(bufnr)
      require("sirdab.ghost").detach(bufnr)
      dress(client, bufnr)
    end
  end
end

--- Attaches the server to the buffers there are and to those to come.
function M.enable()
  M.wants_keys = true
  told_missing, told_failed = false, false
  local managed = vim.lsp.enable ~= nil
  if managed then
    -- Adds nothing to what the user gave, and has lsp/sirdab.lua read again, with these options.
    vim.lsp.config(M.name, {})
  end
  refresh()
  ---@param bufnr integer
  local function begin(bufnr)
    if not managed then
      start(bufnr)
    elseif wanted(bufnr) then
      -- Neovim only logs that a program is missing; a person should be told.
      executable(M.command())
    end
  end
  vim.api.nvim_create_autocmd("FileType", {
    group = vim.api.nvim_create_augroup("sirdab.start", { clear = true }),
    callback = function(event)
      begin(event.buf)
    end,
  })
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(bufnr) then
      begin(bufnr)
    end
  end
  if managed then
    -- The configuration is lsp/sirdab.lua, which reads the options in force.
    vim.lsp.enable(M.name)
  end
end

--- Stops the server and starts it again for the buffers it had; starts it where it does not run.
function M.restart()
  restarts, told_missing, told_failed = {}, false, false
  local bufs = {} ---@type table<integer, true>
  for _, client in ipairs(M.clients()) do
    bufs = vim.tbl_extend("force", bufs, attached[client.id] or {})
    rpc.call(client, "stop")
  end
  if next(bufs) == nil then
    for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
      if vim.api.nvim_buf_is_loaded(bufnr) then
        bufs[bufnr] = true
      end
    end
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
    restarting = true
    for bufnr in pairs(bufs) do
      if vim.api.nvim_buf_is_loaded(bufnr) then
        start(bufnr)
      end
    end
  end
  start_when_stopped()
end

return M
