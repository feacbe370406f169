--- Options of the client: their defaults, and a check that names what is wrong in plain words.
local M = {}

---@class sirdab.Keymap
---@field accept string|false Accept the whole suggestion.
---@field accept_word string|false Accept its next word.
---@field accept_line string|false Accept its next line.
---@field next string|false Show another suggestion, or ask for one when none is shown.
---@field dismiss string|false Hide the suggestion until the text changes.

---@class sirdab.GhostText
---@field enabled boolean Whether suggestions are shown at all.
---@field display "auto"|"builtin"|"own" Who draws: Neovim itself, or this plugin.
---@field debounce_ms integer Pause after a key before the server is asked, in milliseconds.

---@class sirdab.Config
---@field cmd string[] Command that starts the server.
---@field filetypes string[]|false Filetypes to attach to; false for every one.
---@field exclude_filetypes string[] Filetypes never attached to.
---@field root_markers string[] Files or folders that mark a project's root.
---@field max_file_bytes integer Size above which a file is left alone, in bytes.
---@field settings table The server's settings, the same tree as in its documentation.
---@field keymap sirdab.Keymap|false Insert-mode keys in buffers with a server; false for none.
---@field ghost_text sirdab.GhostText
---@field notify boolean Whether to tell of an offline model and of server restarts.

---@type sirdab.Config
M.defaults = {
  cmd = { "sirdab", "--stdio" },
  filetypes = false,
  exclude_filetypes = {
    "NvimTree",
    "TelescopePrompt",
    "checkhealth",
    "fugitive",
    "gitrebase",
    "help",
    "lazy",
    "man",
    "mason",
    "netrw",
    "oil",
    "qf",
  },
  root_markers = { ".git", ".hg", ".jj", "pyproject.toml", "package.json", "Cargo.toml", "go.mod" },
  max_file_bytes = 4 * 1024 * 1024,
  settings = {},
  keymap = {
    accept = "<Tab>",
    accept_word = "<M-w>",
    accept_line = "<M-l>",
    next = "<M-]>",
    dismiss = "<C-]>",
  },
  ghost_text = {
    enabled = true,
    display = "auto",
    debounce_ms = 0,
  },
  notify = true,
}

--- The options in force.
---@type sirdab.Config
M.current = vim.deepcopy(M.defaults)

---@param value any
---@return boolean
local function is_string_list(value)
  if type(value) ~= "table" then
    return false
  end
  local count = 0
  for _, item in pairs(value) do
    if type(item) ~= "string" then
      return false
    end
    count = count + 1
  end
  return count == #value
end

---@param value any
local function is_key(value)
  return value == false or (type(value) == "string" and value ~= "")
end

---@param value any
local function is_boolean(value)
  return type(value) == "boolean"
end

---@class sirdab.OptionCheck
---@field expect string What the option must be, in words.
---@field ok fun(value: any): boolean

---@type table<string, sirdab.OptionCheck>
local checks = {
  cmd = {
    expect = 'a list of strings such as { "sirdab", "--stdio" }',
    ok = function(value)
      return is_string_list(value) and #value > 0
    end,
  },
  filetypes = {
    expect = "a list of strings, or false for every filetype",
    ok = function(value)
      return value == false or is_string_list(value)
    end,
  },
  exclude_filetypes = { expect = "a list of strings", ok = is_string_list },
  root_markers = { expect = "a list of strings", ok = is_string_list },
  max_file_bytes = {
    expect = "a whole number of bytes",
    ok = function(value)
      return type(value) == "number" and value >= 0 and value % 1 == 0
    end,
  },
  settings = {
    expect = "a table",
    ok = function(value)
      return type(value) == "table"
    end,
  },
  notify = { expect = "true or false", ok = is_boolean },
  ["ghost_text.enabled"] = { expect = "true or false", ok = is_boolean },
  ["ghost_text.display"] = {
    expect = '"auto", "builtin" or "own"',
    ok = function(value)
      return value == "auto" or value == "builtin" or value == "own"
    end,
  },
  ["ghost_text.debounce_ms"] = {
    expect = "a whole number from 0 to 10000",
    ok = function(value)
      return type(value) == "number" and value >= 0 and value <= 10000 and value % 1 == 0
    end,
  },
}
for name in
  pairs(M.defaults.keymap --[[@as table<string, string>]])
do
  checks["keymap." .. name] = { expect = "a key such as <Tab>, or false", ok = is_key }
end

--- Options that are tables of options themselves.
local groups = { keymap = true, ghost_text = true }

---@param name string
---@return string
local function unknown(name)
  local known = vim.tbl_keys(checks)
  table.sort(known)
  return ("%s is not an option; the options are %s"):format(name, table.concat(known, ", "))
end

---@param given table
---@param into table
---@param prefix string
---@param problems string[]
local function merge(given, into, prefix, problems)
  local names = vim.tbl_keys(given)
  table.sort(names, function(a, b)
    return tostring(a) < tostring(b)
  end)
  for _, key in ipairs(names) do
    local name, value = prefix .. tostring(key), given[key]
    local check = checks[name]
    if prefix == "" and groups[key] then
      if key == "keymap" and value == false then
        into.keymap = false
      elseif type(value) == "table" then
        merge(value, into[key], name .. ".", problems)
      else
        local expect = key == "keymap" and "a table or false" or "a table"
        problems[#problems + 1] = ("%s must be %s, not %s"):format(name, expect, vim.inspect(value))
      end
    elseif not check then
      problems[#problems + 1] = unknown(name)
    elseif not check.ok(value) then
      problems[#problems + 1] = ("%s must be %s, not %s; its default is used"):format(
        name,
        check.expect,
        vim.inspect(value)
      )
    else
      into[key] = vim.deepcopy(value)
      if name == "cmd" then
        -- No shell reads it, so `~` would be a folder of that name.
        into.cmd[1] = into.cmd[1]:gsub("^~", vim.uv.os_homedir() or "~", 1)
      end
    end
  end
end

--- Merges the user's options over the defaults. A wrong option is left at its default.
---@param opts any
---@return sirdab.Config config
---@return string[] problems One sentence each.
function M.resolve(opts)
  local config, problems = vim.deepcopy(M.defaults), {}
  if opts == nil then
    return config, problems
  end
  if type(opts) ~= "table" then
    return config, { ("setup() takes a table of options, not %s"):format(vim.inspect(opts)) }
  end
  merge(opts, config, "", problems)
  return config, problems
end

--- Makes the user's options the ones in force, and says once what is wrong with them.
---@param opts any
function M.apply(opts)
  local problems
  M.current, problems = M.resolve(opts)
  if #problems > 0 then
    vim.notify("sirdab: " .. table.concat(problems, ".\nsirdab: ") .. ".", vim.log.levels.WARN)
  end
end

return M
