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
  local ask = require("sirdab.process").with_arguments(command, "--version")
  local ok, done = pcall(function()
    return vim.system(ask, { text = true, timeout = 10000 }):wait()
  end)
  if ok and done.code == 0 then
    vim.health.ok(("%s: %s"):format(path, vim.trim(done.stdout)))
    return
  end
  local lines = ok and vim.split(vim.trim(done.stderr or ""), "\n", { plain = true }) or {}
  local said = lines[#lines] or ""
  vim.health.error(
    ("%s was found but does not run%s"):format(path, said ~= "" and ": " .. said or ""),
    {
      "Run: " .. table.concat(ask, " "),
      "Sirdab needs Python 3.11 or newer; install it with such a one, or correct the option `cmd`.",
    }
  )
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
        #vim.tbl_keys(client.attached_buffers),
        client.offset_encoding
      )
    )
    if not client.server_capabilities.inlineCompletionProvider then
      vim.health.error("This server offers no inline completion", { "Update sirdab." })
    end
  end
  local status = require("sirdab.status").get()
  local well = status.state == "ready" or status.state == "busy"
  local advice ---@type string[]?
  if status.detail == "not-installed" then
    advice = { "Fetch the model: sirdab model pull" }
  elseif status.state == "disabled" then
    advice = { ":Sirdab toggle and :Sirdab snooze 0 switch suggestions on" }
  elseif not well then
    advice = { "See :Sirdab doctor" }
  end
  local report = well and vim.health.ok or vim.health.warn
  report(("State: %s. %s"):format(status.state, status.message), advice)
  vim.health.info("Endpoint: " .. (status.endpoint or "not told yet"))
  vim.health.info("Model: " .. (status.model or "not told yet"))
end

--- Buffers that a server is attached to.
---@return integer[]
local function served()
  local out = {}
  for _, client in ipairs(require("sirdab.lsp").clients()) do
    vim.list_extend(out, vim.tbl_keys(client.attached_buffers))
  end
  return out
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
  local keys = require("sirdab.keys")
  local names = vim.tbl_keys(keys.actions)
  table.sort(names)
  for _, name in ipairs(names) do
    local key, what = config.keymap[name], keys.actions[name].desc
    if not key then
      vim.health.info(("%s: no key"):format(what))
    else
      local taken = keys.taken(key, served())
      if taken then
        vim.health.warn(("%s: %s, but another mapping took it: %s"):format(what, key, taken), {
          ("Choose another key: setup({ keymap = { %s = '<C-y>' } })"):format(name),
          "Or call require('sirdab').accept() in that mapping; see :help sirdab-others",
        })
      else
        vim.health.info(("%s: %s"):format(what, key))
      end
    end
  end
end

--- Plugins that complete, by a module that they load, and what is to be known beside them.
local others = {
  { "blink.cmp", "blink.cmp", "its menu and the ghost text can show together" },
  { "cmp", "nvim-cmp", "its menu and the ghost text can show together" },
  { "mini.completion", "mini.completion", "its menu hides the ghost text while it is open" },
  { "copilot", "copilot.lua", "both show ghost text; switch off its `suggestion`" },
  { "supermaven-nvim", "supermaven-nvim", "both show ghost text; switch one of them off" },
  { "minuet", "minuet-ai.nvim", "both may show ghost text; switch off its `virtualtext`" },
}

local function check_others()
  local found = false
  for _, other in ipairs(others) do
    if package.loaded[other[1]] then
      found = true
      vim.health.info(("%s: %s (:help sirdab-others)"):format(other[2], other[3]))
    end
  end
  if vim.g.loaded_copilot == 1 then
    found = true
    vim.health.info("copilot.vim: both show ghost text; switch one of them off")
  end
  if not found then
    vim.health.ok("No other plugin known to complete is loaded")
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
  vim.health.start("sirdab: other plugins")
  check_others()
end

return M
