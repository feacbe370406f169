--- `:checkhealth sirdab`.
local M = {}

local function check_neovim()
  local version = tostring(vim.version())
  if vim.fn.has("nvim-0.10") == 0 then
    vim.health.error(("Neovim %s is too old"):format(version), { "Update to 0.10 or newer." })
    return
  end
  local display = require("sirdab.ghost").display_name()
  local drawn = display == "builtin" and "Neovim's own vim.lsp.inline_completion" or "this plugin"
  vim.health.ok(("Neovim %s; ghost text is drawn by %s"):format(version, drawn))
end

local function check_program()
  local command = require("sirdab.lsp").command()
  if type(command) ~= "table" then
    vim.health.info("The server is started by a function given to vim.lsp.config()")
    return
  end
  local program = command[1]
  local path = vim.fn.exepath(program)
  if path == "" then
    vim.health.error(("The program %s was not found"):format(vim.inspect(program)), {
      'Install it: pip install "sirdab[embedded]"',
      "Or give its path: require('sirdab').setup({ cmd = { '/path/to/sirdab', '--stdio' } })",
    })
    return
  end
  -- What comes before --stdio may be more than a program: { "python", "-m", "sirdab" }.
  local ask = vim.tbl_filter(function(argument)
    return argument ~= "--stdio"
  end, command)
  ask[#ask + 1] = "--version"
  local ok, done = pcall(function()
    return vim.system(ask, { text = true, timeout = 10000 }):wait()
  end)
  if ok and done.code == 0 then
    vim.health.ok(("%s: %s"):format(path, vim.trim(done.stdout)))
  else
    vim.health.warn(
      ("%s was found but does not tell its version"):format(path),
      { "Run: " .. table.concat(ask, " ") }
    )
  end
end

local function check_server()
  local clients = require("sirdab.lsp").clients()
  if #clients == 0 then
    vim.health.warn("The server does not run", {
      "Call require('sirdab').setup({}) or vim.lsp.enable('sirdab'), then open a source file.",
      "See :Sirdab log",
    })
    return
  end
  for _, client in ipairs(clients) do
    vim.health.ok(
      ("Server %d is attached to %d buffer(s); position encoding %s"):format(
        client.id,
        #vim.lsp.get_buffers_by_client_id(client.id),
        client.offset_encoding
      )
    )
    if not client.server_capabilities.inlineCompletionProvider then
      vim.health.error("This server offers no inline completion", { "Update sirdab." })
    end
  end
  local status = require("sirdab.status").get()
  local report = (status.state == "ready" or status.state == "busy") and vim.health.ok
    or vim.health.warn
  report(("State: %s. %s"):format(status.state, status.message))
  vim.health.info("Endpoint: " .. (status.endpoint or "not told yet"))
  vim.health.info("Model: " .. (status.model or "not told yet"))
end

local function check_keys()
  local config = require("sirdab.config").current
  if not require("sirdab.lsp").wants_keys then
    vim.health.info("setup() was not called, so there are no keys but <Plug>(sirdab-…)")
    return
  elseif not config.keymap then
    vim.health.info("Keys are switched off (keymap = false)")
    return
  end
  local actions = require("sirdab.keys").actions
  local names = vim.tbl_keys(actions)
  table.sort(names)
  for _, name in ipairs(names) do
    local key = config.keymap[name]
    vim.health.info(("%s: %s"):format(actions[name].desc, key or "no key"))
  end
end

function M.check()
  vim.health.start("sirdab: editor")
  check_neovim()
  vim.health.start("sirdab: program")
  check_program()
  vim.health.start("sirdab: server and model")
  check_server()
  vim.health.start("sirdab: keys")
  check_keys()
end

return M
