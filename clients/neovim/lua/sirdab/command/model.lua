--- `:Sirdab model`: which model answers, for as long as this Neovim runs.
local common = require("sirdab.command.common")

---@class sirdab.Model
---@field name string What `endpoint.model` takes.
---@field title string
---@field sizeBytes integer
---@field installed boolean
---@field current boolean

--- Takes a model for this session; what it takes to keep it is said.
---@param name string
local function choose(name)
  local lsp = require("sirdab.lsp")
  lsp.chosen = vim.tbl_deep_extend("force", lsp.chosen, { endpoint = { model = name } })
  common.say(("%s is used until Neovim ends; `sirdab model use %s` keeps it."):format(name, name))
  lsp.restart()
end

---@param model sirdab.Model
---@return string
local function describe(model)
  local notes = {} ---@type string[]
  if model.current then
    notes[#notes + 1] = "in use"
  end
  if not model.installed then
    notes[#notes + 1] = ("not here yet, %d MB"):format(math.floor(model.sizeBytes / 1e6 + 0.5))
  end
  local title = model.title ~= model.name and ("%s: %s"):format(model.name, model.title)
    or model.name
  return #notes > 0 and ("%s (%s)"):format(title, table.concat(notes, ", ")) or title
end

--- Takes a model that is there, and says how to get one that is not.
---@param model sirdab.Model
local function take(model)
  if model.installed then
    choose(model.name)
  else
    common.say(
      ("%s is not on this machine; `sirdab model pull %s` fetches it (%d MB)."):format(
        model.name,
        model.name,
        math.floor(model.sizeBytes / 1e6 + 0.5)
      )
    )
  end
end

--- Whether a name is one that no list has: a file, or a model of a server of the user's own.
---@param name string
---@return boolean
local function is_file(name)
  return name:find("[/\\]") ~= nil or vim.endswith(name:lower(), ".gguf")
end

---@param arguments string[]
return function(arguments)
  local wanted = arguments[1]
  if wanted == "auto" or (wanted and is_file(wanted)) then
    return choose(vim.fs.normalize(wanted))
  end
  local client = common.client_or_say()
  if not client then
    return
  end
  local rpc = require("sirdab.ghost.rpc")
  rpc.call(client, "request", "sirdab/models", vim.empty_dict(), function(err, result)
    if err or type(result) ~= "table" then
      common.warn("this server does not list models; `sirdab model list` does, in a terminal.")
      return
    end
    local models = result.models --[[@as sirdab.Model[] ]]
    if wanted then
      for _, model in ipairs(models) do
        if model.name == wanted then
          return take(model)
        end
      end
      local names = vim.tbl_map(function(model)
        return model.name
      end, models)
      common.warn(
        ("%s is not a model it knows; there are: %s."):format(wanted, table.concat(names, ", "))
      )
      return
    end
    vim.ui.select(models, { prompt = "Sirdab: model", format_item = describe }, function(model)
      if model then
        take(model)
      end
    end)
  end)
end
